//go:build race

package mailbox

// slowdown is how much longer, and in how much more memory, the race detector
// makes everything happen.
const slowdown = 10
