/**
 * Imports modules, and tells the milliseconds that it took, by the clock and of
 * the processor: `importing.ts <url>...`.
 */
const begun = performance.now()
const before = process.cpuUsage()
for (const url of process.argv.slice(2)) await import(url)
const { system, user } = process.cpuUsage(before)
console.log(`${performance.now() - begun}\n${(user + system) / 1000}`)
