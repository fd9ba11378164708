import { CloseCode } from 'graphql-ws';

/**
 * Codes that this server closes WebSockets with. Those from 4400 on are of the protocol `graphql-transport-ws`, which closes
 * with some of them itself. The clients of graphql-ws come back after a code below 4400.
 * https://github.com/graphql/graphql-over-http/blob/main/rfcs/GraphQLOverWebSocket.md
 * https://www.iana.org/assignments/websocket/websocket.xhtml
 */
export const closeCodes = {
  /** The server stops; another one may serve. */
  goingAway: 1001,
  /** The credential cannot be verified now. */
  tryAgainLater: 1013,
  /** A message that is none of the protocol. */
  badRequest: CloseCode.BadRequest,
  /** The client has not said who it is. */
  unauthorized: CloseCode.Unauthorized,
  /** The credential is not valid, or no longer. */
  forbidden: CloseCode.Forbidden,
  /** The user has made too many requests, or opened too many sockets. The protocol says it of a second connection_init. */
  tooManyRequests: CloseCode.TooManyInitialisationRequests,
  internalError: CloseCode.InternalServerError,
} as const;
