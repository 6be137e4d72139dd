/** Where a host under test finds the pipe to its parent. */
export const reportDescriptor = 4
