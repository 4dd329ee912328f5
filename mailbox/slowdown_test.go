//go:build !race

package mailbox

// slowdown is 1 without the race detector.
const slowdown = 1
