package telegram

import (
	"context"

	"trygg/bot"
)

// Resend and Tidy do at once what Run does every few seconds.
func (c *Channel) Resend(ctx context.Context) {
	for shard := range bot.Shards {
		c.resendShard(ctx, shard)
	}
}

func (c *Channel) Tidy(ctx context.Context) {
	for shard := range bot.Shards {
		c.tidyShard(ctx, shard)
	}
}
