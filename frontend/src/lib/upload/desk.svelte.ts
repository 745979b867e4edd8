import { getContext, setContext } from 'svelte';
import { ApiProblem } from '#lib/api/problem.ts';
import type { UploadEvent, UploadView } from '#lib/api/types.ts';
import { followUpload, forgetUpload, listUploads, publishUpload, putCover, retryUpload } from '#lib/api/uploads.ts';
import { titleFromFileName } from '#lib/format/words.ts';
import { isSameFile, readKeptJobs, writeKeptJobs } from './draft.ts';
import { failureFor, type Failure } from './failures.ts';
import { UploadJob } from './job.svelte.ts';
import { forgetAllFiles, forgetFiles, keepFile, keptFile } from './kept_files.ts';
import { Transfer } from './transfer.ts';

const CONTEXT_KEY = Symbol('uploads');
const isUnfinished = (view: UploadView) => view.status === 'pending' || view.status === 'processing' || view.can_retry;
const coverName = (job: UploadJob) => `${job.key}/cover`;

/** every upload of this visit; lives in the root layout and goes on while people move through the app. */
export class UploadDesk {
  jobs = $state<UploadJob[]>([]);
  isRestored = $state(false);
  #did: string | null = null;
  #opening: Promise<void> = Promise.resolve();
  #files = new Map<string, File>();
  #covers = new Map<string, Blob>();
  #transfers = new Map<string, Transfer>();
  #following = new Map<string, () => void>();

  /** take up what this person left unfinished; called when somebody is signed in. */
  open(did: string): void {
    if (this.#did === did) return;
    this.#did = did;
    this.#opening = this.#restore(did);
  }

  async #restore(did: string): Promise<void> {
    this.jobs = readKeptJobs(did).map((kept) => UploadJob.from(kept));
    const views = await listUploads().catch(() => null);
    if (this.#did !== did) return;
    if (views) {
      const known = new Set(this.jobs.map((job) => job.uploadId));
      const others = views.filter((view) => !known.has(view.upload_id) && isUnfinished(view));
      this.jobs.push(...others.map((view) => UploadJob.fromView(view)));
      await Promise.all([...this.jobs].map((job) => this.#takeUp(job, views)));
    } else {
      for (const job of this.jobs) this.#fail(job, 'api_unreachable');
    }
    this.isRestored = true;
    this.save();
  }

  /** the person signed out: stop everything and leave nothing of theirs in this browser. */
  async close(): Promise<void> {
    if (!this.#did) return;
    for (const job of this.jobs) await this.#stop(job);
    writeKeptJobs(this.#did, []);
    await forgetAllFiles();
    this.jobs = [];
    this.#did = null;
    this.isRestored = false;
  }

  /** the network is back: whatever stopped for want of it goes on. */
  reconnect(): void {
    for (const job of this.jobs) if (job.failure?.code === 'connection') void this.retry(job);
  }

  /** start sending each file; one that matches an unfinished upload goes on where that one stopped. */
  async add(files: Iterable<File>): Promise<void> {
    const chosen = [...files];
    // an upload begun while the list of known ones is on its way would be found in it and taken for another
    await this.#opening;
    for (const file of chosen) {
      const waiting = this.jobs.find((job) => job.status === 'needs_file' && isSameFile(job.keep(), file));
      const job = waiting ?? new UploadJob(crypto.randomUUID());
      if (!waiting) {
        job.describeFile(file);
        job.draft.title = titleFromFileName(file.name);
        this.jobs.unshift(job);
      }
      this.#send(this.#own(job), file);
    }
  }

  /** another file for a job whose first one was refused or lost; the form stays. */
  async replaceFile(job: UploadJob, file: File): Promise<void> {
    if (job.status === 'needs_file' && isSameFile(job.keep(), file)) return this.#send(job, file);
    await this.#stop(job);
    if (job.uploadId) await forgetUpload(job.uploadId).catch(() => undefined);
    job.startOver();
    job.describeFile(file);
    this.#send(job, file);
  }

  /** use this picture as cover, null for none. */
  setCover(job: UploadJob, image: Blob | null): void {
    if (job.coverUrl) URL.revokeObjectURL(job.coverUrl);
    job.coverUrl = image ? URL.createObjectURL(image) : null;
    job.coverProblem = null;
    job.hasCover = image !== null;
    job.isCoverSent = false;
    if (image) {
      this.#covers.set(job.key, image);
      void keepFile(coverName(job), image);
    } else {
      this.#covers.delete(job.key);
      void forgetFiles(coverName(job));
    }
    this.save();
    void this.#sendCover(job);
  }

  /** publish as soon as the bytes are there; may be called at any time. */
  publish(job: UploadJob): void {
    job.isPublishRequested = true;
    job.failure = null;
    this.save();
    void this.#sendPublish(job);
  }

  /** try a failed job again, with what is kept. */
  async retry(job: UploadJob): Promise<void> {
    const wasServerFailure = job.server?.status === 'failed';
    job.failure = null;
    if (!wasServerFailure) return this.#resume(job);
    job.server = null;
    try {
      if (job.uploadId) await retryUpload(job.uploadId);
      this.#follow(job);
    } catch (problem) {
      this.#failWith(job, problem);
    }
  }

  /** cancel an unfinished upload or put an ended one out of sight. */
  async remove(job: UploadJob): Promise<void> {
    await this.#stop(job);
    this.jobs = this.jobs.filter((other) => other.key !== job.key);
    this.#forgetBytes(job);
    this.save();
    if (job.uploadId) await forgetUpload(job.uploadId).catch(() => undefined);
  }

  /** write the forms down; called by whoever changed one. */
  save(): void {
    if (!this.#did) return;
    writeKeptJobs(this.#did, this.jobs.filter((job) => job.status !== 'live').map((job) => job.keep()));
  }

  /** the reactive twin of a job that was just put on the list. */
  #own(job: UploadJob): UploadJob {
    return this.jobs.find((other) => other.key === job.key) ?? job;
  }

  #send(job: UploadJob, file: File): void {
    this.#files.set(job.key, file);
    void keepFile(job.key, file);
    void this.#resume(job);
  }

  async #resume(job: UploadJob): Promise<void> {
    const file = this.#files.get(job.key);
    if (job.transfer === 'done') return this.#sendPublish(job);
    if (!file) {
      job.transfer = 'needs_file';
      return;
    }
    await this.#stop(job);
    const transfer = new Transfer();
    this.#transfers.set(job.key, transfer);
    job.transfer = 'sending';
    job.failure = null;
    await transfer.start(file, job.uploadId, {
      named: (uploadId) => {
        const isNew = job.uploadId !== uploadId;
        job.uploadId = uploadId;
        if (isNew) Object.assign(job, { isPublishSent: false, isCoverSent: false });
        this.save();
        void this.#sendCover(job).then(() => this.#sendPublish(job));
      },
      progress: (sent) => {
        job.transfer = 'sending';
        job.noteSent(sent);
      },
      waiting: () => (job.transfer = 'waiting'),
      done: () => {
        job.transfer = 'done';
        job.noteSent(job.sizeBytes);
        this.save();
        void this.#sendPublish(job);
      },
      failed: (problem) => {
        job.transfer = 'stopped';
        if (job.uploadId && (problem?.status === 404 || problem?.status === 410)) {
          job.startOver();
          void this.#resume(job);
          return;
        }
        this.#failWith(job, problem ?? new ApiProblem('connection', 0, ''));
      },
    });
  }

  async #stop(job: UploadJob): Promise<void> {
    this.#following.get(job.key)?.();
    this.#following.delete(job.key);
    await this.#transfers.get(job.key)?.stop();
    this.#transfers.delete(job.key);
  }

  async #sendCover(job: UploadJob): Promise<void> {
    const image = this.#covers.get(job.key);
    if (!image || !job.uploadId || job.isCoverSent) return;
    job.isCoverSent = true;
    try {
      await putCover(job.uploadId, image);
      job.coverProblem = null;
    } catch (problem) {
      job.isCoverSent = false;
      job.coverProblem = problem instanceof ApiProblem ? problem.detail : 'the cover could not be sent.';
    }
    this.save();
  }

  async #sendPublish(job: UploadJob): Promise<void> {
    if (!job.isPublishRequested || !job.uploadId) return;
    if (job.isPublishSent) return this.#follow(job);
    job.isPublishSent = true;
    const { title, album, tags, description } = job.draft;
    try {
      await this.#sendCover(job);
      await publishUpload(job.uploadId, {
        title: title.trim(),
        tags: [...tags],
        ...(album.trim() ? { album: album.trim() } : {}),
        ...(description.trim() ? { description: description.trim() } : {}),
      });
      this.#follow(job);
    } catch (problem) {
      if (problem instanceof ApiProblem && problem.code === 'already_publishing') return this.#follow(job);
      job.isPublishSent = false;
      job.isPublishRequested = false;
      this.#failWith(job, problem);
    }
    this.save();
  }

  #follow(job: UploadJob): void {
    const uploadId = job.uploadId;
    if (!uploadId || this.#following.has(job.key)) return;
    const stop = followUpload(
      uploadId,
      (event) => this.#hear(job, event),
      () => this.#fail(job, 'connection'),
    );
    this.#following.set(job.key, stop);
  }

  #hear(job: UploadJob, event: UploadEvent): void {
    job.server = { status: event.status, phase: event.phase, server_progress_pct: event.server_progress_pct };
    job.trackId = event.track_id;
    if (event.status === 'completed' || event.status === 'failed') this.#following.delete(job.key);
    if (event.status === 'failed') this.#fail(job, event.error_code ?? 'internal', event.error);
    if (event.status === 'completed') this.#forgetBytes(job);
    this.save();
  }

  /** bring a job from before a reload together with what the api knows of it. */
  async #takeUp(job: UploadJob, views: UploadView[]): Promise<void> {
    const file = await keptFile(job.key);
    if (file) this.#files.set(job.key, file);
    const cover = job.hasCover ? await keptFile(coverName(job)) : null;
    if (cover) {
      this.#covers.set(job.key, cover);
      job.coverUrl = URL.createObjectURL(cover);
    }
    const view = views.find((known) => known.upload_id === job.uploadId);
    if (!view) {
      if (job.uploadId) job.startOver();
      return this.#resume(job);
    }
    job.noteSent(view.offset_bytes);
    job.isPublishSent = view.is_submitted;
    job.isPublishRequested ||= view.is_submitted;
    job.transfer = view.size_bytes !== null && view.offset_bytes >= view.size_bytes ? 'done' : 'needs_file';
    if (view.status !== 'pending' || view.phase !== 'receiving') this.#hear(job, view);
    if (view.status === 'pending' || view.status === 'processing') await this.#resume(job);
  }

  #forgetBytes(job: UploadJob): void {
    this.#files.delete(job.key);
    this.#covers.delete(job.key);
    void forgetFiles(job.key, coverName(job));
  }

  #failWith(job: UploadJob, problem: unknown): void {
    if (problem instanceof ApiProblem) this.#fail(job, problem.code, problem.detail);
    else this.#fail(job, 'internal');
  }

  #fail(job: UploadJob, code: string, detail?: string | null): void {
    job.failure = failureFor(code, detail) satisfies Failure;
    // a form that was refused is open again; the audio stays where it is
    if (job.server?.status !== 'failed' && !job.isPublishSent) job.isPublishRequested = false;
    this.save();
  }
}

/** make the page's upload desk; once, in the root layout. */
export function provideUploadDesk(): UploadDesk {
  return setContext(CONTEXT_KEY, new UploadDesk());
}

/** the upload desk of this page. */
export function useUploadDesk(): UploadDesk {
  return getContext<UploadDesk>(CONTEXT_KEY);
}
