// Package content holds the conversations that are compiled into the program:
// one YAML file a conversation, and index.yaml, which says where a chat starts.
package content

import "embed"

// Files are the conversations.
//
//go:embed *.yaml
var Files embed.FS
