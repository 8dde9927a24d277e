package telegram

import (
	"context"
	"slices"
	"time"

	tg "github.com/go-telegram/bot"
	"github.com/go-telegram/bot/models"
)

// introduce tells Telegram what stands on the bot's page: commands, name and
// descriptions in each language, true but neutral (S28). It asks first and
// changes only what differs, and tries again until it is done.
func (c *Channel) introduce(ctx context.Context) {
	for fails := 0; ; fails++ {
		call, done := context.WithTimeout(ctx, time.Second)
		mine, err := c.o.Store.Lease(call, "profile:"+c.id, time.Minute)
		done()
		if err == nil && !mine {
			return // another replica does it
		}
		err = c.profile(ctx)
		if err == nil || ctx.Err() != nil {
			return
		}
		c.failed("profile", err)
		if !pause(ctx, min(time.Second<<min(fails, 6), time.Minute)) {
			return
		}
	}
}

// languages are those Telegram has a page for; "" is what everybody else sees.
func (c *Channel) languages() []string {
	out := []string{""}
	for _, tag := range []string{"nb", "nn", "en", "se", "uk", "pl", "ar", "so"} {
		if may := c.content().Locales; may == nil || may[tag] {
			out = append(out, tag)
		}
	}
	return out
}

func (c *Channel) profile(ctx context.Context) error {
	lib := c.api.lib
	for _, tag := range c.languages() {
		locale := tag
		if locale == "" {
			locale = unknown
		}
		var want []models.BotCommand
		for _, name := range menu {
			want = append(want, models.BotCommand{Command: name, Description: c.text(locale, "telegram.command."+name)})
		}
		have, err := lib.GetMyCommands(ctx, &tg.GetMyCommandsParams{LanguageCode: tag})
		if err != nil {
			return rarely("getMyCommands", err)
		}
		if !slices.Equal(have, want) {
			if _, err := lib.SetMyCommands(ctx, &tg.SetMyCommandsParams{Commands: want, LanguageCode: tag}); err != nil {
				return rarely("setMyCommands", err)
			}
		}
		if text := c.text(locale, "telegram.description"); text != "" {
			have, err := lib.GetMyDescription(ctx, &tg.GetMyDescriptionParams{LanguageCode: tag})
			if err == nil && have.Description != text {
				_, err = lib.SetMyDescription(ctx, &tg.SetMyDescriptionParams{Description: text, LanguageCode: tag})
			}
			if err != nil {
				return rarely("setMyDescription", err)
			}
		}
		if text := c.text(locale, "telegram.short"); text != "" {
			have, err := lib.GetMyShortDescription(ctx, &tg.GetMyShortDescriptionParams{LanguageCode: tag})
			if err == nil && have.ShortDescription != text {
				_, err = lib.SetMyShortDescription(ctx, &tg.SetMyShortDescriptionParams{ShortDescription: text, LanguageCode: tag})
			}
			if err != nil {
				return rarely("setMyShortDescription", err)
			}
		}
		if text := c.text(locale, "telegram.name"); text != "" {
			have, err := lib.GetMyName(ctx, &tg.GetMyNameParams{LanguageCode: tag})
			if err == nil && have.Name != text {
				_, err = lib.SetMyName(ctx, &tg.SetMyNameParams{Name: text, LanguageCode: tag})
			}
			if err != nil {
				return rarely("setMyName", err)
			}
		}
	}
	return nil
}

// setWebhook tells Telegram where updates go, until it is done. What waits
// there stays.
func (c *Channel) setWebhook(ctx context.Context) {
	h := c.o.Webhook
	for fails := 1; ; fails++ {
		_, err := c.api.lib.SetWebhook(ctx, &tg.SetWebhookParams{
			URL: h.URL, SecretToken: h.Secret.s, MaxConnections: 100, AllowedUpdates: asked,
		})
		if err = rarely("setWebhook", err); err == nil || ctx.Err() != nil {
			return
		}
		c.cool(ctx, err, fails)
	}
}
