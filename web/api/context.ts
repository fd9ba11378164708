import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { Api } from './api.js';

export const ApiContext = createContext<Api>(undefined as never);

/** The clients of the API, for what the hooks do not do. */
export const useApi = (): Api => useContext(ApiContext);
