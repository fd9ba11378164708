/** Texts of the sign-in page. */
export const signIn = {
  title: 'Sign in',
  organization: 'Organization',
  username: 'Username',
  password: 'Password',
  submit: 'Sign in',
  running: 'Signing in …',
  organizationHelp: 'The short name of your hospital, as your administrator gave it to you.',
};
