/**
 * Watches the page of Apollo Sandbox. Its script and its frame come from Apollo's servers. Where the browser does not
 * reach them, the page offers GraphiQL, which comes from this server. The Sandbox is reached when its frame speaks.
 */
const frameOrigin = 'https://sandbox.embed.apollographql.com';
/** Longest wait for the frame, milliseconds. An offer that came too early goes away when the frame speaks. */
const patienceMs = 6_000;

let offer: HTMLElement | undefined;
let reached = false;

function showOffer(): void {
  if (offer || reached) return;
  offer = document.createElement('div');
  offer.id = 'graphiql-offer';
  offer.setAttribute('role', 'alert');
  offer.style.cssText =
    'position:fixed;inset:0 0 auto 0;z-index:2147483647;padding:24px;text-align:center;background:#fff8e1;' +
    'color:#1b1f23;border-bottom:1px solid #d9a406;font:16px/1.5 system-ui,sans-serif';
  const link = document.createElement('a');
  link.href = '/graphiql';
  link.textContent = 'Open GraphiQL';
  link.style.cssText = 'display:inline-block;font-weight:600;color:#0b57d0';
  offer.append(
    "Apollo Sandbox comes from Apollo's servers, and this browser does not reach them. ",
    'GraphiQL comes from this server and needs no internet. ',
    link,
  );
  document.body.append(offer);
}

addEventListener('message', ({ origin }) => {
  if (origin !== frameOrigin) return;
  reached = true;
  offer?.remove();
});
const look = (): void => {
  if (!('EmbeddedSandbox' in window)) showOffer();
};
if (document.readyState === 'loading') addEventListener('DOMContentLoaded', look);
else look();
setTimeout(showOffer, patienceMs);
