import { CloseCode } from 'graphql-ws';

/**
 * Lists the codes with which this server closes WebSockets. Codes from 4400 on belong to the protocol
 * `graphql-transport-ws`; the library graphql-ws closes with some of them itself. Its clients connect again after a
 * code below 4400.
 * https://github.com/graphql/graphql-over-http/blob/main/rfcs/GraphQLOverWebSocket.md
 * https://www.iana.org/assignments/websocket/websocket.xhtml
 */
export const closeCodes = {
  /** The server stops. Another server may still run. */
  goingAway: 1001,
  /**
   * The credential cannot be verified now, or the caller has made too many requests, has too many sockets, or has sent
   * too much. A client may try again in a moment. 4429 would end a client of graphql-ws for good.
   */
  tryAgainLater: 1013,
  /** The client sent a message that the protocol does not have. */
  badRequest: CloseCode.BadRequest,
  /** The client has sent no credential. */
  unauthorized: CloseCode.Unauthorized,
  /** The credential is not valid, or is no longer valid. */
  forbidden: CloseCode.Forbidden,
  internalError: CloseCode.InternalServerError,
} as const;
