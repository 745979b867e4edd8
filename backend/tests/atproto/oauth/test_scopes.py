"""scopes mean what they permit, however they are written."""

import pytest

from plyr.atproto.oauth import covers, service_scope

OURS = service_scope("fm.plyr.dev")
TOGETHER = "&".join(f"collection=fm.plyr.dev.{name}" for name in ("track", "like", "comment", "list", "actor.profile"))


def test_service_scope_asks_for_our_own_collections_only() -> None:
    assert OURS.split() == [
        "atproto",
        "repo:fm.plyr.dev.track",
        "repo:fm.plyr.dev.like",
        "repo:fm.plyr.dev.comment",
        "repo:fm.plyr.dev.list",
        "repo:fm.plyr.dev.actor.profile",
        "blob:*/*",
    ]


@pytest.mark.parametrize(
    "granted",
    [
        " ".join(reversed(OURS.split())),
        OURS + " rpc:com.example.x",
        "atproto repo:* blob:*/*",
        "atproto transition:generic",
        f"atproto blob:*/* repo?{TOGETHER}",
        OURS.replace("repo:fm.plyr.dev.like", "repo:fm.plyr.dev.like?action=create&action=update&action=delete"),
        OURS.replace(
            "repo:fm.plyr.dev.like",
            "repo:fm.plyr.dev.like?action=create repo:fm.plyr.dev.like?action=delete"
            " repo:fm.plyr.dev.like?action=update",
        ),
        OURS.replace("blob:*/*", "blob?accept=*/*"),
    ],
)
def test_covers_recognizes_other_ways_of_writing(granted: str) -> None:
    assert covers(granted, OURS)


@pytest.mark.parametrize(
    "granted",
    [
        "",
        "atproto",
        OURS.replace("atproto ", ""),
        OURS.replace("blob:*/*", "blob:audio/*"),
        OURS.replace("repo:fm.plyr.dev.like", "repo:fm.plyr.dev.like?action=create"),
        OURS.replace("repo:fm.plyr.dev.like", "repo:fm.plyr.like"),
        "atproto repo:* ",
        "transition:generic",
    ],
)
def test_covers_notices_what_is_lacking(granted: str) -> None:
    assert not covers(granted, OURS)


def test_covers_audio_by_any_audio_and_not_the_other_way() -> None:
    assert covers("blob:audio/*", "blob:audio/flac")
    assert not covers("blob:audio/flac", "blob:audio/*")
    assert not covers("blob:image/*", "blob:audio/flac")
