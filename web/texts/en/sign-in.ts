/** Texts of the sign-in page. */
export const signIn = {
  title: 'Sign in',
  provider: 'Sign in with your hospital account',
  orPassword: 'or with a password of RiskGraph:',
  organization: 'Organization',
  username: 'Username',
  password: 'Password',
  submit: 'Sign in',
  running: 'Signing in …',
  organizationHelp: 'The short name of your hospital, as your administrator gave it to you.',
};
