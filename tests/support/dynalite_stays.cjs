// dynalite throws what a request's connection reports, and so ends when a client is killed in the middle of
// sending. The tests kill clients on purpose; the database has to outlive them.
'use strict'

process.on('uncaughtException', (error) => {
  if (error.code === 'ECONNRESET' || error.code === 'EPIPE') return
  console.error(error)
  process.exit(1)
})
