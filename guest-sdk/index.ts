/** Everything that the author of a module imports: `import { Context, Reader } from "remembrancer/guest-sdk"`. */
export { Appender } from "./appender";
export { Assurance, Context, Level } from "./context";
export { Identity } from "./identity";
export { Json } from "./json";
export { Nullable } from "./nullable";
export { Reader } from "./reader";
export { Column, Selection } from "./selection";
export { Timestamp } from "./timestamp";
export { Writer } from "./writer";
