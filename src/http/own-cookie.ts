/** Finds a cookie in the header of a request. @returns undefined when there is none of that name */
export const readCookie = (header: string | undefined, name: string): string | undefined =>
  header
    ?.split(';')
    .map((part) => part.trim())
    .find((part) => part.startsWith(`${name}=`))
    ?.slice(name.length + 1);

interface OwnCookie {
  readonly name: string;
  /** The address to which alone browsers send it. */
  readonly path: string;
  readonly value: string;
  /** Time after which it ends. 0 ends it now. */
  readonly seconds: number;
  /** True when the browser came over TLS. */
  readonly isSecure: boolean;
}

/** Writes a cookie that no script can read and that no page of another site sends. */
export const writeCookie = ({ name, path, value, seconds, isSecure }: OwnCookie): string =>
  `${name}=${value}; Path=${path}; Max-Age=${seconds}; HttpOnly; SameSite=Strict${isSecure ? '; Secure' : ''}`;
