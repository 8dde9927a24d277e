// Package tools holds what looks at the project and is not part of it: linters,
// the benchmark comparer and the check of the Dockerfile. It is a module of its
// own, so that the program's go.mod names only what the program is made of (S63).
//
//	go tool -modfile=tools/go.mod staticcheck ./...
//	go -C tools test ./...
package tools
