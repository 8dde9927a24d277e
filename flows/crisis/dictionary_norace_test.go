//go:build !race

package crisis_test

// everyWord: of so many words of the dictionary one is read.
const everyWord = 1
