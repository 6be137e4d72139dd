/**
 * The reference module: whatever the world and the row format can say is said here once, so that two
 * hosts, or two guest SDKs, can be compared over the calls of cases/. A module of the same description
 * in another language runs the same cases.
 */
import "./values";
import "./keys";
import "./entries";
import "./visits";
import "./badges";
import "./settings";
import "./situation";
import "./failures";
import "./lifecycle";
import "./bytes";
