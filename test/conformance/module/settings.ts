/** Columns with defaults: `new` may leave them out. */
import { Context, Identity, Nullable, Reader, Writer } from "remembrancer/guest-sdk";

@table("settings")
class Setting {
  @owner owner: Identity;
  @primaryKey name: string;
  @default("calm") mood: string;
  volume: u32 = 5;
  share: f64 = -0.5;
  budget: i64 = -9007199254740993;
  isOn: bool = true;
  hint: string | null = null;
}

@reducer
export function openSetting(ctx: Context, settings: Writer<Setting>, name: string): Setting {
  return settings.insert(new Setting(name));
}

@reducer
export function setVolume(ctx: Context, settings: Writer<Setting>, name: string, volume: Nullable<u32>): Setting | null {
  const setting = settings.get(name);
  if (setting === null) return null;
  setting.volume = volume.or(11);
  settings.update(setting);
  return settings.get(name);
}

@query
export function setting(ctx: Context, settings: Reader<Setting>, name: string): Setting | null {
  return settings.get(name);
}
