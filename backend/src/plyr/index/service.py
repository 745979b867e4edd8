"""The one door into the index. Duplicates, reordering and replays of events all end in the same tables."""

from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from plyr.artists import service as artists
from plyr.atproto.lexicon.generated import ActorProfile, Comment, Like, List, Track
from plyr.atproto.lexicon.validate import Lexicons, RecordInvalid
from plyr.comments import service as comments
from plyr.db import Session
from plyr.index import repo
from plyr.index.pending import Wishes, read_wishes
from plyr.kit.ids import AtUri, Nsid
from plyr.kit.record_events import Changes, RecordEvent
from plyr.likes import service as likes
from plyr.lists import service as lists
from plyr.repos import service as repos
from plyr.tracks import service as tracks

Fold = Callable[[Session, Changes], Awaitable[None]]

_FOLDS: dict[str, Fold] = {
    ActorProfile.collection: artists.fold_profiles,
    Track.collection: tracks.fold,
    Like.collection: likes.fold,
    Comment.collection: comments.fold,
    List.collection: lists.fold,
}


@dataclass(frozen=True, slots=True)
class Rules:
    """What decides whether a record is one of ours: the namespace of this deployment, and its lexicons."""

    namespace: str
    lexicons: Lexicons

    @property
    def collections(self) -> list[Nsid]:
        """The collections the index follows."""
        return [Nsid(f"{self.namespace}.{part}") for part in _FOLDS]

    def part_of(self, collection: str) -> str:
        """Return a collection's name within our namespace, or empty for a stranger's."""
        prefix = f"{self.namespace}."
        return collection.removeprefix(prefix) if collection.startswith(prefix) else ""


@dataclass(slots=True)
class Applied:
    """What became of a batch of events; `rejected` counts by reason."""

    news: int = 0
    stale: int = 0
    foreign: int = 0
    rejected: Counter[str] = field(default_factory=Counter)


async def apply(session: Session, event: RecordEvent, rules: Rules) -> bool:
    """Apply one event in the caller's transaction. False: old news or not ours, nothing changed."""
    return (await apply_batch(session, [event], rules)).news > 0


async def apply_batch(session: Session, events: Sequence[RecordEvent], rules: Rules) -> Applied:
    """Apply events in the caller's transaction; their order does not matter, their revisions do.

    shape:  a record its lexicon refuses is in the ledger with the reason and shows nowhere; a record whose deletion
            is wanted by its owner and still on its way is in the ledger and shows no more
    cost:   1 statement each on repos, ledger and outbox, and a handful a collection, whatever the number
    """
    newest: dict[AtUri, RecordEvent] = {}
    applied = Applied()
    for event in events:
        if rules.part_of(event.collection) not in _FOLDS:
            applied.foreign += 1
        elif event.uri in newest and newest[event.uri].rev >= event.rev:
            applied.stale += 1
        else:
            applied.stale += event.uri in newest
            newest[event.uri] = event
    if newest:
        rejected: dict[str, str] = {event.uri: why for event in newest.values() if (why := _fault(event, rules))}
        await _enter(session, list(newest.values()), rejected, rules, applied)
    return applied


async def reject(session: Session, event: RecordEvent, reason: str, rules: Rules) -> Applied:
    """Enter an event that could not be applied, with the reason; its record shows nowhere."""
    applied = Applied()
    if rules.part_of(event.collection) in _FOLDS:
        await _enter(session, [event], {event.uri: reason}, rules, applied)
    return applied


async def holds(session: Session, event: RecordEvent) -> bool:
    """Tell whether the ledger has an event's version of its record, or a later one."""
    known = await repo.find(session, event.uri)
    return known is not None and (known.rev >= event.rev or known.cid == event.cid)


async def restore(session: Session, standing: RecordEvent, rules: Rules) -> bool:
    """Show a record as it stands in its repo, whatever was shown in advance. False: later news of it is known."""
    rejected: dict[str, str] = {standing.uri: reason} if (reason := _fault(standing, rules)) else {}
    await repos.remember(session, {standing.did})
    await repo.enter(session, [standing], rejected)
    known = await repo.find(session, standing.uri)
    if known is not None and known.rev > standing.rev:
        return False
    await _show(session, [standing], rejected, rules)
    return True


async def _enter(
    session: Session, events: list[RecordEvent], rejected: Mapping[str, str], rules: Rules, applied: Applied
) -> None:
    await repos.remember(session, {event.did for event in events})
    news = await repo.enter(session, events, rejected)
    applied.news += len(news)
    applied.stale += len(events) - len(news)
    applied.rejected.update(reason for uri, reason in rejected.items() if uri in news)
    await _show(session, [event for event in events if event.uri in news], rejected, rules)


async def _show(session: Session, events: Sequence[RecordEvent], rejected: Mapping[str, str], rules: Rules) -> None:
    """Bring the tables of the domains to these events, as far as their owners' own waiting writes let them."""
    wishes = await read_wishes(session, events)
    await _fold(session, events, wishes, rejected, rules)
    # an owner who wrote while we folded was waited for at their rows, and is heard now
    later = await read_wishes(session, events)
    if changed := [event for event in events if later.of(event.uri) != wishes.of(event.uri)]:
        await _fold(session, changed, later, rejected, rules)


async def _fold(
    session: Session, events: Sequence[RecordEvent], wishes: Wishes, rejected: Mapping[str, str], rules: Rules
) -> None:
    by_part: dict[str, Changes] = defaultdict(Changes)
    for event in events:
        if event.uri in wishes.kept or (event.uri in wishes.edited and event.uri in rejected):
            continue
        changes = by_part[rules.part_of(event.collection)]
        if event.action == "delete":
            changes.deleted.append(event.uri)
        elif event.uri in rejected or event.uri in wishes.gone:
            changes.hidden.append(event.uri)
        else:
            changes.puts.append(wishes.edited.get(event.uri, event))
    for part, changes in sorted(by_part.items()):
        await _FOLDS[part](session, changes)


def _fault(event: RecordEvent, rules: Rules) -> str | None:
    """Return why a record shows nowhere, None for one that may."""
    if event.action == "delete":
        return None
    try:
        rules.lexicons.validate_record(event.collection, event.record, event.rkey)
    except RecordInvalid as refusal:
        return f"invalid: {refusal.path or 'record'}"[:200]
    return None
