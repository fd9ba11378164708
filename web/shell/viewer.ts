import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { ConsoleViewerQuery } from '../generated/graphql.js';

/** The user who is signed in. */
type Viewer = ConsoleViewerQuery['viewer'];

export const ViewerContext = createContext<Viewer>(undefined as never);

export const useViewer = (): Viewer => useContext(ViewerContext);

/** Tells whether the viewer may do an action of the permission table, e.g. `job:submit`. The API decides in the end. */
export function useMay(): (action: string) => boolean {
  const { permissions } = useViewer();
  return (action) => permissions.includes(action);
}
