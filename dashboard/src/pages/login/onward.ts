// Where one goes on to after the login: a path of this page, and nothing that a browser takes for another place.

/** The server refuses the same; an address in a link must not lead away from here. */
export const onward = (next: string | undefined): string =>
  next && /^\/(?![/\\])[^\\\s\p{Cc}]{0,500}$/u.test(next) ? next : "/";
