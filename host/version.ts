/** This release, as every record of the log names the host that wrote it. A test holds it against package.json. */
export const hostVersion = '0.1.0'

/** Major, minor and patch in 12, 10 and 10 bits: three numbers that compare as one. */
export function packVersion(version: string): number {
  const [major = 0, minor = 0, patch = 0] = version.split('.').map((part) => Number.parseInt(part, 10))
  return ((major << 20) | (minor << 10) | patch) >>> 0
}

export function formatVersion(packed: number): string {
  return `${packed >>> 20}.${(packed >>> 10) & 0x3ff}.${packed & 0x3ff}`
}
