// Who may have a say, as the server has it: so that nobody presses a button to learn it.
import type { Schemas } from "~/api/client";

export type Me = Pick<Schemas["Me"], "name" | "roles">;

/** Two ways to write one name are one person, as the server has it. */
export const person = (name: string): string => name.normalize("NFKC").trim().toLowerCase();

export const mayDecide = (me: Me): boolean => me.roles.includes("approver") || me.roles.includes("admin");

export const mayStart = (me: Me): boolean => me.roles.includes("operator") || me.roles.includes("admin");

/** Who comes without a login is nobody in particular, and could be either of two. */
export const NOBODY: ReadonlySet<string> = new Set(["local", "anyone", "nobody"]);

export const NO_ROLE = "this needs the role approver; an admin gives it";
