/** What only the host runs. */
import { Appender, Context } from "remembrancer/guest-sdk";
import { Badge } from "./badges";

/** The badge belongs to nobody who calls; that its serial is taken is all they can see of it. */
@init
export function issueFirstBadge(ctx: Context, badges: Appender<Badge>): void {
  badges.insert(new Badge("first", "house", 1, "serial of the house"));
}

@hook
export function sessionStarted(ctx: Context, badges: Appender<Badge>): void {
  badges.insert(new Badge("session", "house", 2, "serial of a session"));
}
