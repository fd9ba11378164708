/**
 * Marks each `style` element that a script makes from now on with the nonce of the page, as the policy of the page
 * demands. The editor makes such elements for its themes and its pop-ups, and knows no nonce.
 */
export function markStylesWithNonce(): void {
  const nonce = document.querySelector<HTMLMetaElement>('meta[property="csp-nonce"]')?.nonce ?? '';
  const createElement = document.createElement.bind(document) as typeof document.createElement;

  document.createElement = ((name: string, options?: ElementCreationOptions) => {
    const element = createElement(name, options);
    if (element instanceof HTMLStyleElement) element.nonce = nonce;
    return element;
  }) as typeof document.createElement;
}
