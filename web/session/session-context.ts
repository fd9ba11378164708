import { createContext } from 'preact';
import type { Session } from './session.js';

/** The session of the viewer, for what is not GraphQL: files of results. */
export const SessionContext = createContext<Session>(undefined as never);
