"""Identity on the AT Protocol: handles, DIDs, DID documents."""

from plyr.atproto.identity.handles import HandleResolver
from plyr.atproto.identity.resolver import Identity, IdentityResolver
from plyr.atproto.identity.syntax import normalize_name, require_did

__all__ = ["HandleResolver", "Identity", "IdentityResolver", "normalize_name", "require_did"]
