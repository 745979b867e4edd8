"""likes: whatever the worker is doing and whenever echoes arrive, people see what they last did."""

import asyncio
import random

from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from plyr.kit.tid import new_tid
from tests.fixtures.delivering import Writer, new_subject

STEPS = ("like", "unlike", "claim", "send", "settle", "lose", "echo first", "echo last", "echo all")


async def test_like_twice_and_from_two_tabs_is_one_like(writer: Writer) -> None:
    subject = new_subject()
    uris = await asyncio.gather(*(writer.like(subject) for _ in range(6)))
    assert len(set(uris)) == 1
    assert await writer.likes(subject) == (True, 1)
    await writer.deliver()
    assert [record["uri"] for record in writer.records("like")] == [uris[0]]
    assert await writer.like(subject) == uris[0]


async def test_unlike_before_delivery_the_pds_never_hears_of_it(writer: Writer) -> None:
    subject = new_subject()
    await writer.like(subject)
    assert await writer.unlike(subject)
    assert not await writer.unlike(subject)
    await writer.deliver()
    assert (writer.records("like"), writer.echoes) == ([], [])
    assert await writer.likes(subject) == (False, 0)


async def test_unlike_while_in_flight_the_deletion_follows(writer: Writer) -> None:
    subject = new_subject()
    await writer.like(subject)
    await writer.claim()
    await writer.unlike(subject)
    await writer.send()
    assert len(writer.records("like")) == 1
    await writer.settle()
    assert await writer.likes(subject) == (False, 0)
    await writer.deliver()
    assert writer.records("like") == []
    for late in [*writer.echoes, *writer.echoes]:
        await writer.hear(late)
        assert await writer.likes(subject) == (False, 0)


async def test_unlike_takes_back_likes_written_by_other_apps_too(writer: Writer) -> None:
    subject = new_subject()
    for _ in range(2):
        record = {"subject": subject.to_json(), "createdAt": "2024-01-01T00:00:00.000Z"}
        await writer.hear(writer.write_elsewhere("like", new_tid(), record))
    assert await writer.likes(subject) == (True, 1)
    await writer.unlike(subject)
    await writer.deliver()
    assert (await writer.likes(subject), writer.records("like")) == ((False, 0), [])


async def _take(writer: Writer, step: str, subject: object) -> None:
    if step == "like":
        await writer.like(subject)  # type: ignore[arg-type]
    elif step == "unlike":
        await writer.unlike(subject)  # type: ignore[arg-type]
    elif step.startswith("echo"):
        heard = {"first": slice(0, 1), "last": slice(-1, None), "all": slice(None)}[step.split()[1]]
        for event in writer.echoes[heard]:
            await writer.hear(event)
    else:
        await {"claim": writer.claim, "send": writer.send, "settle": writer.settle, "lose": writer.lose}[step]()


@given(steps=st.lists(st.sampled_from(STEPS), min_size=4, max_size=24), order=st.randoms(use_true_random=False))
@hypothesis_settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_like_and_unlike_between_any_steps_of_delivery_and_late_echoes_the_last_word_shows(
    writer: Writer, steps: list[str], order: random.Random
) -> None:
    subject, liked = new_subject(), False
    writer.echoes.clear()
    for step in steps:
        liked = {"like": True, "unlike": False}.get(step, liked)
        await _take(writer, step, subject)
        assert await writer.likes(subject) == (liked, int(liked)), f"after {step}"
    await writer.deliver()
    assert await writer.likes(subject) == (liked, int(liked))
    held = [record for record in writer.records("like") if record["value"]["subject"]["uri"] == subject.uri]
    assert len(held) == int(liked)
    late = writer.echoes * 2
    order.shuffle(late)
    for event in late:
        await writer.hear(event)
        assert await writer.likes(subject) == (liked, int(liked))


async def test_unlike_racing_the_delivery_and_the_echo_in_real_time_stays_unliked(writer: Writer) -> None:
    for _ in range(12):
        subject = new_subject()
        await writer.like(subject)
        await writer.claim()
        await writer.send()
        echo = writer.echoes[-1]
        await asyncio.gather(writer.settle(), writer.hear(echo), writer.unlike(subject), writer.hear(echo))
        assert await writer.likes(subject) == (False, 0)
        await asyncio.gather(writer.deliver(), writer.hear(echo))
        assert await writer.likes(subject) == (False, 0)
    assert writer.records("like") == []


async def test_count_many_people_at_once_loses_nobody(writer: Writer) -> None:
    subject = new_subject()
    events = []
    for number in range(24):
        event = writer.write_elsewhere(
            "like", new_tid(), {"subject": subject.to_json(), "createdAt": "2024-01-01T00:00:00.000Z"}
        )
        events.append(type(event)(f"did:plc:fan{number}", *[getattr(event, name) for name in event.__slots__[1:]]))
    await asyncio.gather(*(writer.hear(event) for event in events))
    assert await writer.likes(subject) == (False, 24)
