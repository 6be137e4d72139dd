/** One JSON value as its text. The host refuses a text that is none when the row or result leaves. */
import { pack } from "./pack";
import { unpack } from "./unpack";

@final
export class Json {
  constructor(readonly text: string) {}

  toString(): string {
    return this.text;
  }

  __pack(): void {
    pack<string>(this.text);
  }

  __unpack(): Json {
    return new Json(unpack<string>());
  }
}
