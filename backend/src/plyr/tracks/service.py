"""The life of a track: published through the outbox, settled by the index, deleted by its artist."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import timedelta

from plyr.artists import service as artists
from plyr.artists.errors import ArtistProfileRequired
from plyr.atproto.lexicon.generated import Track
from plyr.config import Settings
from plyr.db import Session
from plyr.jobs import service as jobs
from plyr.jobs.kinds import JobKind
from plyr.kit.at_uri import make_at_uri, split_at_uri
from plyr.kit.clock import utc_now
from plyr.kit.ids import AtUri, Did, JobId, TrackId
from plyr.kit.record_events import Changes, RecordEvent
from plyr.kit.tid import new_tid
from plyr.outbox import service as outbox
from plyr.storage import keys
from plyr.storage import service as storage
from plyr.tracks import repo
from plyr.tracks.errors import DuplicateTrack, TrackNotFound
from plyr.tracks.records import audio_blob, shown_row, track_record
from plyr.tracks.views import AudioCopy, PublishedDraft, SourceView, TrackDraft

DELETED_KEPT_FOR = timedelta(days=1)
_NO_FILE = dict.fromkeys(("file_id", "file_type", "duration_ms", "size_bytes", "audio_sha256", "image_id", "blob_cid"))


async def publish(session: Session, draft: TrackDraft, settings: Settings) -> PublishedDraft:
    """Insert a draft as a track nobody sees yet and want its record written.

    shape:  the same upload again returns the track it became; the row turns visible when the record is on the PDS
    errors: DuplicateTrack (409) when the artist has a track of these bytes; ArtistProfileRequired (403)
    """
    await repo.lock_audio(session, draft.artist_did, draft.audio_sha256)
    if made := await repo.find_by_upload(session, draft.job_id):
        return made
    await refuse_duplicate(session, draft.artist_did, draft.audio_sha256)
    artist = await artists.get(session, draft.artist_did)
    if artist is None or not artist.has_profile:
        raise ArtistProfileRequired()
    collection = Track.nsid(settings.atproto_namespace)
    rkey, created_at = new_tid(), utc_now()
    uri = make_at_uri(draft.artist_did, collection, rkey)
    track_id = await repo.add_source(session, _source(draft, uri))
    record = track_record(draft, artist.name, created_at, settings)
    await outbox.put_record(session, draft.artist_did, collection, rkey, record, job_id=draft.job_id)
    return PublishedDraft(track_id, uri)


async def published_from(session: Session, upload_id: JobId) -> TrackId | None:
    """Return the track an upload became, None if there is none (any more)."""
    made = await repo.find_by_upload(session, upload_id)
    return made.track_id if made else None


async def refuse_duplicate(session: Session, artist: Did, sha256: str) -> None:
    """Let pass bytes the artist has not published. errors: DuplicateTrack (409) names the track."""
    if found := await repo.find_by_audio(session, artist, sha256):
        raise DuplicateTrack(found)


async def fold(session: Session, changes: Changes) -> None:
    """Follow track records: what they say is shown once we hold their audio; the files of those gone go too.

    shape:  a record of another client has its audio fetched first (a job), if its author's server keeps it
    cost:   6 statements for any number
    """
    if changes.puts:
        await _fold_puts(session, changes.puts)
    if changes.gone:
        await repo.remove(session, changes.gone)
    for track_id in await repo.retire(session, changes.deleted) if changes.deleted else []:
        owner = storage.Owner("track", str(track_id))
        await storage.release(session, owner, reason="track deleted", delay=DELETED_KEPT_FOR)


async def _fold_puts(session: Session, puts: Sequence[RecordEvent]) -> None:
    await artists.ensure(session, {event.did for event in puts})
    await repo.ensure_sources(session, {event.uri: event.did for event in puts})
    await _take_back_files(session, [event.uri for event in puts])
    held = await repo.upsert(session, [shown_row(event) for event in puts])
    for event in puts:
        blob = audio_blob(event)
        if blob is not None and event.uri in held and held[event.uri] != blob:
            await request_mirror(session, event)


async def _take_back_files(session: Session, uris: Sequence[AtUri]) -> None:
    """A record made again after its deletion has its files again, unless they are gone for good already."""
    for track_id, uri, file_id in await repo.revive(session, uris):
        await storage.take_back_given_up(session, storage.Owner("track", str(track_id)))
        if file_id is not None and await storage.find(session, keys.audio_key(file_id)) is None:
            await repo.change_source(session, uri, _NO_FILE)


async def forget_retired(session: Session, artist: Did) -> None:
    """Forget what we knew of an artist's deleted tracks, e.g. since the account is gone; none of them comes back."""
    await repo.forget_retired(session, artist)


async def request_mirror(session: Session, event: RecordEvent) -> None:
    """Want the audio of another client's record fetched from its author's server. Again for a version: nothing."""
    payload = {"uri": event.uri, "rev": event.rev, "cid": event.cid, "record": event.record}
    name = f"mirror:{event.uri}:{event.cid}"
    await jobs.create_once(session, JobKind.MIRROR_AUDIO, name, event.did, payload, phase="fetching")


async def find_source(session: Session, uri: AtUri) -> SourceView | None:
    """Return what we hold of a track whose record we heard of."""
    return await repo.find_source(session, uri)


async def show_copy(session: Session, event: RecordEvent, copy: AudioCopy) -> None:
    """Let a record of another client show with the copy of its audio, which is already stored and owned."""
    await repo.change_source(session, event.uri, asdict(copy))
    await fold(session, Changes(puts=[event]))


async def withdraw(session: Session, uri: AtUri) -> TrackId | None:
    """Take back a track whose record the PDS refused; one that is published stays."""
    return await repo.remove_unpublished(session, uri)


async def delete(session: Session, artist: Did, track_id: TrackId) -> None:
    """Hide an artist's own track at once and want its record deleted. errors: TrackNotFound (404)."""
    uri = await repo.hide(session, artist, track_id)
    if uri is None:
        raise TrackNotFound()
    await outbox.delete_record(session, *split_at_uri(uri))


async def undo_delete(session: Session, uri: AtUri) -> None:
    """Show a track again whose record the PDS would not delete."""
    await repo.show_again(session, uri)


def _source(draft: TrackDraft, uri: AtUri) -> dict[str, object]:
    return {
        "uri": uri,
        "artist_did": draft.artist_did,
        "file_id": draft.file_id,
        "file_type": draft.file_type,
        "duration_ms": draft.duration_ms,
        "size_bytes": draft.size_bytes,
        "audio_sha256": draft.audio_sha256,
        "image_id": draft.image_id,
        "upload_id": draft.job_id,
    }
