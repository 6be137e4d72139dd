/** What the access log of a data folder says, read as somebody reads it who does not hold it. */
import { readAccess } from '../../host/access-log/access-record.ts'
import type { ReadAccess } from '../../host/access-log/access-record.ts'
import { LogView } from '../../host/log/log-view.ts'
import type { LoggedRecord } from '../../host/log/record.ts'
import { accessFolder } from '../../host/storage/data-folder.ts'

export async function loggedRecords(data: string): Promise<readonly LoggedRecord[]> {
  const found: LoggedRecord[] = []
  for await (const chunk of LogView.open(accessFolder(data, 0), 0n).read(1n)) found.push(...chunk)
  return found
}

/** Those that are not erased, in their order. */
export async function accessRecords(data: string): Promise<readonly ReadAccess[]> {
  return (await loggedRecords(data)).filter(({ isErased }) => !isErased).map(readAccess)
}

/** `returned turns 1 2`: one line for each part of a record. */
export function touchLines({ touches }: ReadAccess): readonly string[] {
  return touches.map(({ mode, name, keys, count }) => `${mode} ${name} ${keys === null ? `#${count}` : keys.join(' ')}`).toSorted()
}
