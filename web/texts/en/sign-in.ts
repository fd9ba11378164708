/** Texts of the sign-in page. */
export const signIn = {
  title: 'Sign in',
  provider: 'Sign in with your hospital account',
  orPassword: 'or with a password of RiskGraph:',
  signedOut: 'You have signed out here and at your hospital account.',
  providerSession:
    'You have signed out here. Your hospital account is still signed in on this device: sign out there too, if others use it.',
  organization: 'Organization',
  username: 'Username',
  password: 'Password',
  submit: 'Sign in',
  running: 'Signing in …',
  organizationHelp: 'The short name of your hospital, as your administrator gave it to you.',
};
