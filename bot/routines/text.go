package routines

// UI are the texts of the pages themselves. Everything else is said by the
// catalogue.
var UI = []string{
	"pages.title", "pages.brand", "pages.skip", "pages.menu", "pages.pages", "pages.home", "pages.ask", "pages.ask.label",
	"pages.ask.noname", "pages.find", "pages.again", "pages.danger", "pages.danger.open", "pages.danger.ask",
	"pages.danger.tree", "pages.call", "pages.hurry", "pages.found", "pages.best", "pages.unsure", "pages.more",
	"pages.nothing", "pages.nothing.ask", "pages.self", "pages.self.go", "pages.personal", "pages.personal.still",
	"pages.personal.birth-number", "pages.personal.birth-date", "pages.personal.phone", "pages.personal.email",
	"pages.personal.name", "pages.personal.address", "pages.role", "pages.role.none", "pages.role.mine", "pages.themes",
	"pages.tree", "pages.tree.start", "pages.tree.other", "pages.shownow", "pages.question", "pages.path", "pages.back",
	"pages.views", "pages.view.all", "pages.view.call", "pages.view.write", "pages.view.child", "pages.view.law",
	"pages.done", "pages.ticks", "pages.adapt", "pages.adapt.change", "pages.adapted", "pages.flags", "pages.old",
	"pages.changes", "pages.change.whole", "pages.change.added", "pages.change.replaced", "pages.change.removed",
	"pages.step", "pages.print", "pages.printed", "pages.share", "pages.link", "pages.link.copied", "pages.copy",
	"pages.copied", "pages.who", "pages.who.child", "pages.always", "pages.open", "pages.closed", "pages.hours",
	"pages.numbers", "pages.numbers.none", "pages.fit", "pages.town", "pages.town.none", "pages.town.type",
	"pages.town.change", "pages.use", "pages.language", "pages.place.unknown", "pages.place.try", "pages.deadlines",
	"pages.limits", "pages.count", "pages.count.what", "pages.count.date", "pages.count.clock", "pages.count.go",
	"pages.count.kept", "pages.count.from", "pages.count.midnight", "pages.count.none", "pages.count.day",
	"pages.count.event", "pages.count.time", "pages.choose", "pages.clock", "pages.monday", "pages.tuesday",
	"pages.wednesday", "pages.thursday", "pages.friday", "pages.saturday", "pages.sunday", "pages.free.weekend",
	"pages.free.holiday", "pages.free.work", "pages.holiday.new-year", "pages.holiday.may-day",
	"pages.holiday.constitution-day", "pages.holiday.christmas-day", "pages.holiday.second-christmas-day",
	"pages.holiday.maundy-thursday", "pages.holiday.good-friday", "pages.holiday.easter-sunday",
	"pages.holiday.easter-monday", "pages.holiday.ascension-day", "pages.holiday.whit-sunday",
	"pages.holiday.whit-monday", "pages.law", "pages.terms", "pages.terms.look", "pages.terms.none", "pages.terms.all",
	"pages.blocks", "pages.blocks.how", "pages.meeting", "pages.meeting.kept", "pages.templates", "pages.own",
	"pages.own.choose", "pages.own.none", "pages.own.elements", "pages.own.lacks", "pages.own.whole", "pages.own.has",
	"pages.own.missing", "pages.child", "pages.kept", "pages.ideas", "pages.ideas.meeting", "pages.ideas.own",
	"pages.missing", "pages.wrong", "pages.failed",
}
