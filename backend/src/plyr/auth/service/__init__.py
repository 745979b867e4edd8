"""The verbs of auth: sign in, know who calls, sign out, keep grants alive."""

from plyr.auth.service.grants import settle
from plyr.auth.service.keys import encrypt_anew
from plyr.auth.service.revocation import revoke_grant
from plyr.auth.service.sessions import end_session, forget_expired, resolve_session
from plyr.auth.service.sign_in import CallbackAnswer, SignedIn, StartedSignIn, exchange, finish, start

__all__ = [
    "CallbackAnswer",
    "SignedIn",
    "StartedSignIn",
    "encrypt_anew",
    "end_session",
    "exchange",
    "finish",
    "forget_expired",
    "resolve_session",
    "revoke_grant",
    "settle",
    "start",
]
