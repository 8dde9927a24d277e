package store

import (
	"context"
	"encoding/json"
	"fmt"

	"trygg/flows"
)

// Sessions gives every open session, without saying whose it is: for an operator
// who wants to know how many stand where. What cannot be opened is left out.
func (c *Chats) Sessions(ctx context.Context, do func(flows.Session)) error {
	err := c.each(ctx, KindSession, func(_ int, keys []Key) error {
		records, err := c.store.Read(ctx, keys...)
		if err != nil {
			return err
		}
		now := c.now()
		for i, r := range records {
			text, ok := c.open(Bind{KindSession, flows.Schema, keys[i].Name}, now, r.Value)
			var s flows.Session
			if ok && json.Unmarshal(text, &s) == nil && s.Schema == flows.Schema {
				do(s)
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("sessions: %w", err)
	}
	return nil
}
