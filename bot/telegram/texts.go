package telegram

import "slices"

// UI are the texts the channel says by itself.
var UI = append([]string{
	"engine.hidden",
	"telegram.lead", "telegram.late", "telegram.away", "telegram.media", "telegram.remove", "telegram.removed", "telegram.stays",
	"telegram.group", "telegram.off", "telegram.off.web", "telegram.name", "telegram.description", "telegram.short",
}, commandTexts()...)

func commandTexts() []string {
	ids := make([]string, len(menu))
	for i, name := range menu {
		ids[i] = "telegram.command." + name
	}
	return slices.Clip(ids)
}
