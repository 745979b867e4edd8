import type { UploadView } from '#lib/api/types.ts';
import type { Draft, KeptJob } from './draft.ts';
import { titleFromFileName } from '#lib/format/words.ts';
import type { Failure } from './failures.ts';
import { fractionOf, Speedometer, statusOf, type ServerView, type TransferState } from './progress.ts';

/** one upload as the page shows it: the form, how far the bytes are, and what the api says. */
export class UploadJob {
  readonly key: string;
  fileName = $state('');
  fileType = '';
  sizeBytes = $state(0);
  lastModified = 0;
  draft = $state<Draft>({ title: '', album: '', tags: [], description: '' });

  uploadId = $state<string | null>(null);
  sentBytes = $state(0);
  bytesPerSecond = $state<number | null>(null);
  transfer = $state<TransferState>('sending');
  isPublishRequested = $state(false);
  isPublishSent = false;
  server = $state.raw<ServerView | null>(null);
  trackId = $state<number | null>(null);
  failure = $state.raw<Failure | null>(null);

  coverUrl = $state<string | null>(null);
  coverProblem = $state<string | null>(null);
  hasCover = $state(false);
  isCoverSent = false;

  status = $derived(
    statusOf({
      hasFailed: this.failure !== null,
      transfer: this.transfer,
      isPublishRequested: this.isPublishRequested,
      server: this.server,
    }),
  );
  fraction = $derived(
    fractionOf({ sentBytes: this.sentBytes, sizeBytes: this.sizeBytes, status: this.status, server: this.server }),
  );
  /** whether the person may still change the form. */
  isEditable = $derived(this.status !== 'live' && (!this.isPublishRequested || this.failure?.action === 'choose_again'));

  #speed = new Speedometer();

  constructor(key: string) {
    this.key = key;
  }

  /** the api has this many bytes now. */
  noteSent(bytes: number): void {
    this.sentBytes = bytes;
    this.#speed.note(bytes, performance.now());
    this.bytesPerSecond = this.#speed.bytesPerSecond;
  }

  /** forget how far the transfer was, before another file is sent. */
  startOver(): void {
    this.uploadId = null;
    this.sentBytes = 0;
    this.bytesPerSecond = null;
    this.server = null;
    this.failure = null;
    this.trackId = null;
    this.isPublishSent = false;
    this.isCoverSent = false;
    this.transfer = 'sending';
    this.#speed = new Speedometer();
  }

  describeFile(file: File): void {
    this.fileName = file.name;
    this.fileType = file.type;
    this.sizeBytes = file.size;
    this.lastModified = file.lastModified;
  }

  keep(): KeptJob {
    return {
      key: this.key,
      upload_id: this.uploadId,
      file_name: this.fileName,
      file_type: this.fileType,
      size_bytes: this.sizeBytes,
      last_modified: this.lastModified,
      is_publish_requested: this.isPublishRequested,
      is_publish_sent: this.isPublishSent,
      has_cover: this.hasCover,
      is_cover_sent: this.isCoverSent,
      draft: $state.snapshot(this.draft),
    };
  }

  /** an upload that the api knows and this browser does not: begun elsewhere, or before a sign-out. */
  static fromView(view: UploadView): UploadJob {
    return UploadJob.from({
      key: view.upload_id,
      upload_id: view.upload_id,
      file_name: view.filename,
      file_type: '',
      size_bytes: view.size_bytes ?? 0,
      last_modified: 0,
      is_publish_requested: view.is_submitted,
      is_publish_sent: view.is_submitted,
      has_cover: view.image_url !== null,
      is_cover_sent: view.image_url !== null,
      draft: { title: view.title ?? titleFromFileName(view.filename), album: view.album ?? '', tags: view.tags, description: view.description ?? '' },
    });
  }

  static from(kept: KeptJob): UploadJob {
    const job = new UploadJob(kept.key);
    job.uploadId = kept.upload_id;
    job.fileName = kept.file_name;
    job.fileType = kept.file_type;
    job.sizeBytes = kept.size_bytes;
    job.lastModified = kept.last_modified;
    job.isPublishRequested = kept.is_publish_requested;
    job.isPublishSent = kept.is_publish_sent;
    job.hasCover = kept.has_cover;
    job.isCoverSent = kept.is_cover_sent;
    job.draft = kept.draft;
    job.transfer = 'needs_file';
    return job;
  }
}
