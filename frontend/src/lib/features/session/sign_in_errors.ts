/** why a sign-in did not end well, in words: what happened and what to do next. */
export interface SignInTrouble {
  title: string;
  text: string;
}

const TROUBLES: Record<string, SignInTrouble> = {
  denied: {
    title: 'you said no, and that is fine',
    text: 'your server told us that access was not granted. nothing was changed; sign in again whenever you like.',
  },
  expired: {
    title: 'that took a little too long',
    text: 'a sign-in is good for a few minutes only. start it once more.',
  },
  wrong_account: {
    title: 'that was another account',
    text: 'you asked to sign in with one account, and your server answered for another. sign out there first, or type the other handle here.',
  },
  provider_unreachable: {
    title: 'your server does not answer',
    text: 'the server that keeps your account could not be reached. this is usually over soon; try again in a few minutes.',
  },
  provider_refused: {
    title: 'your server would not let us ask',
    text: 'it is there, but refused our request to sign you in. try again; if it goes on, its operator may know why.',
  },
  handle_not_found: {
    title: 'we cannot find that handle',
    text: 'no account answers to it. check the spelling: a handle looks like name.example.com.',
  },
  handle_unverified: {
    title: 'that handle does not point back',
    text: 'the handle names an account which does not name the handle. whoever owns it has to set it again in their account settings.',
  },
  identity_mismatch: {
    title: 'the answers do not fit together',
    text: 'your handle, your identity and your server disagree about each other, so we stopped to be safe. if you moved servers just now, wait a little.',
  },
  wrong_browser: {
    title: 'this sign-in began elsewhere',
    text: 'it was started in another browser or its cookies are gone, so it cannot end here. start it again in this one.',
  },
  invalid_request: {
    title: 'that did not look like a sign-in',
    text: 'a part of it was missing. type your handle and start again.',
  },
  exchange_expired: {
    title: 'the last step came too late',
    text: 'it has to happen within a minute and only once. you are not signed in yet; start again.',
  },
  api_unreachable: {
    title: 'the music server is resting',
    text: 'we could not finish signing you in. nothing was lost; try again in a moment.',
  },
};

/** the words for a sign-in error code; a code we do not know still gets a way back. */
export function signInTrouble(code: string): SignInTrouble {
  return TROUBLES[code] ?? { title: 'signing in did not work', text: 'something unexpected happened. you are not signed in; please start again.' };
}
