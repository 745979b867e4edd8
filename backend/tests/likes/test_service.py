"""likes: whatever the worker is doing and whenever echoes arrive, people see what they last did."""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from plyr.atproto.lexicon.generated import StrongRef
from plyr.kit.ids import Did
from plyr.kit.tid import new_tid
from tests.fixtures.delivering import Writer, new_subject

STEPS = ("like", "unlike", "unlike", "go on", "go on", "go on", "lose", "echo first", "echo last", "echo all")
BACKGROUND = ("claim", "send", "settle")


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


async def _take(writer: Writer, step: str, subject: StrongRef) -> None:
    if step == "like":
        await writer.like(subject)
    elif step == "unlike":
        await writer.unlike(subject)
    elif step.startswith("echo"):
        heard = {"first": slice(0, 1), "last": slice(-1, None), "all": slice(None)}[step.split()[1]]
        for event in writer.echoes[heard]:
            await writer.hear(event)
    else:
        verbs = {"claim": writer.claim, "send": writer.send, "settle": writer.settle, "lose": writer.lose}
        await {**verbs, "go on": writer.go_on}[step]()


async def _play(writer: Writer, steps: Sequence[str], order: random.Random) -> None:
    """take steps, then deliver the rest and let every echo come twice in any order: always the last word shows."""
    subject, liked = new_subject(), False
    writer.echoes.clear()
    for number, step in enumerate(steps):
        liked = {"like": True, "unlike": False}.get(step, liked)
        await _take(writer, step, subject)
        assert await writer.likes(subject) == (liked, int(liked)), f"after {steps[: number + 1]}"
    await writer.deliver()
    assert await writer.likes(subject) == (liked, int(liked))
    held = [record for record in writer.records("like") if record["value"]["subject"]["uri"] == subject.uri]
    assert len(held) == int(liked)
    late = writer.echoes * 2
    order.shuffle(late)
    for event in late:
        await writer.hear(event)
        assert await writer.likes(subject) == (liked, int(liked))


@pytest.mark.parametrize("delivery", [BACKGROUND, ("claim", "send", "lose", *BACKGROUND)], ids=["heard", "answer lost"])
async def test_unlike_at_every_point_of_the_background_write_and_the_echo_at_every_later_one(
    writer: Writer, delivery: tuple[str, ...]
) -> None:
    order = random.Random(3)
    for unliked_at in range(len(delivery) + 1):
        script = ["like", *delivery[:unliked_at], "unlike", *delivery[unliked_at:], *BACKGROUND]
        for heard_at in range(3, len(script) + 1):
            await _play(writer, [*script[:heard_at], "echo first", *script[heard_at:]], order)


@given(steps=st.lists(st.sampled_from(STEPS), min_size=6, max_size=24), order=st.randoms(use_true_random=False))
@hypothesis_settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_like_and_unlike_between_any_steps_of_delivery_and_late_echoes_the_last_word_shows(
    writer: Writer, steps: list[str], order: random.Random
) -> None:
    await _play(writer, ["like", *steps], order)


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
        events.append(replace(event, did=Did(f"did:plc:fan{number}")))
    await asyncio.gather(*(writer.hear(event) for event in events))
    assert await writer.likes(subject) == (False, 24)
