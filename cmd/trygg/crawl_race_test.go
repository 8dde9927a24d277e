//go:build race

package main

// raced says that the race detector watches, which costs a crawl ten times its
// time: it then walks as two languages and three bands. `make crawl` walks as all.
const raced = true
