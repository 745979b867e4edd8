"""OAuth scopes of the AT Protocol, compared by what they permit and not by how they are written.

source: https://atproto.com/specs/permission
"""

from typing import NamedTuple
from urllib.parse import parse_qs, unquote

_REPO_ACTIONS = ("create", "update", "delete")


class Permission(NamedTuple):
    """One thing that may be done: a repo action on a collection, a blob type, or a scope taken as it is."""

    resource: str
    target: str
    action: str = ""


def parse_scope(scope: str) -> frozenset[Permission]:
    """Return the permissions of a space-separated scope; unknown ones stand for themselves."""
    return frozenset(permission for token in scope.split() for permission in _parse_token(token))


def covers(granted: str, wanted: str) -> bool:
    """Tell whether everything a scope permits is also permitted by another."""
    held = parse_scope(granted)
    return all(any(_includes(have, want) for have in held) for want in parse_scope(wanted))


def service_scope(namespace: str) -> str:
    """Return what this service asks of a user: to keep its own records and their files."""
    collections = ("track", "like", "comment", "list", "actor.profile")
    return " ".join(["atproto", *(f"repo:{namespace}.{collection}" for collection in collections), "blob:*/*"])


def _parse_token(token: str) -> list[Permission]:
    head, _, query = token.partition("?")
    resource, _, positional = head.partition(":")
    params = parse_qs(query)
    first = [unquote(positional)] if positional else []
    if resource == "repo":
        collections = first + params.get("collection", [])
        actions = params.get("action", _REPO_ACTIONS)
        return [Permission("repo", collection, action) for collection in collections for action in actions]
    if resource == "blob":
        return [Permission("blob", accept) for accept in first + params.get("accept", [])]
    return [Permission(resource, unquote(token))]


def _includes(have: Permission, want: Permission) -> bool:
    if have == want:
        return True
    if have == Permission("transition", "transition:generic"):
        return want.resource in ("repo", "blob")
    if have.resource != want.resource:
        return False
    if want.resource == "repo":
        return have.action == want.action and have.target == "*"
    if want.resource == "blob":
        kind, _, subtype = have.target.partition("/")
        return subtype == "*" and kind in ("*", want.target.partition("/")[0])
    return False
