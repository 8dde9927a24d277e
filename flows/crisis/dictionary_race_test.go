//go:build race

package crisis_test

// everyWord is larger under the race detector, which makes reading slow; what is
// heard then has to be among what the file lists.
const everyWord = 200
