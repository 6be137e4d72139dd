/**
 * A thread of the gate's child: ends the process when its parent is gone, whatever its main thread is
 * doing. (Windows keeps the old parent's number: there only the pipe's end is noticed.)
 */
import { workerData } from 'node:worker_threads'

setInterval(() => {
  if (process.ppid !== workerData) process.kill(process.pid, 'SIGKILL')
}, 500)
