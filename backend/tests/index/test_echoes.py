"""own writes are waited for: those that come back are forgotten, those that do not are a warning and a repair."""

from sqlalchemy import select
from structlog.testing import capture_logs

from plyr.index import echoes
from plyr.jobs.models import Job
from plyr.outbox import service as outbox
from tests.fixtures.delivering import Writer, new_subject


async def _overdue(writer: Writer) -> int:
    async with writer.resources.db.begin() as session:
        return await outbox.count_overdue(session)


async def _repairs(writer: Writer) -> list[str]:
    async with writer.resources.db.begin() as session:
        return list(await session.scalars(select(Job.owner_did).where(Job.kind == "reconcile_repo")))


async def test_signal_overdue_withheld_echo_is_warned_of_once_and_the_repo_read(writer: Writer) -> None:
    await writer.like(new_subject())
    await writer.claim()
    await writer.deliver()
    assert await echoes.signal_overdue(writer.resources.db, 60) == 0
    with capture_logs() as logs:
        assert await echoes.signal_overdue(writer.resources.db, 0) == 1
        assert await echoes.signal_overdue(writer.resources.db, 0) == 0
    assert [line["log_level"] for line in logs if line["event"] == "own_writes_not_echoed"] == ["warning"]
    assert await _overdue(writer) == 1
    assert await _repairs(writer) == [writer.did]
    await writer.hear(writer.echoes[0])
    assert await _overdue(writer) == 0


async def test_signal_overdue_echo_before_or_after_the_answer_is_never_missed(writer: Writer) -> None:
    for echo_first in (True, False):
        await writer.like(new_subject())
        await writer.claim()
        await writer.send()
        if echo_first:
            await writer.hear(writer.echoes[-1])
        await writer.settle()
        if not echo_first:
            await writer.hear(writer.echoes[-1])
    assert await echoes.signal_overdue(writer.resources.db, 0) == 0


async def test_signal_overdue_write_whose_answer_was_lost_is_waited_for_too(writer: Writer) -> None:
    await writer.like(new_subject())
    await writer.claim()
    await writer.send()
    await writer.lose()
    await writer.deliver()
    assert await echoes.signal_overdue(writer.resources.db, 0) == 1
    await writer.hear(writer.echoes[0])
    assert await _overdue(writer) == 0
