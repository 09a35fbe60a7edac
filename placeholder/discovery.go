package placeholder

// Discovery is what a shop's own settings say, from which 'catalog magento
// discover' writes settings.
type Discovery struct {
	Info
	// Views are the active store views, by id.
	Views []ViewSettings
}

// ViewSettings are a store view's settings as the shop's configuration has
// them, inheritance (default, website, store) resolved.
type ViewSettings struct {
	ID       int
	Code     string
	Name     string // for people
	Website  string // its code
	Language string // BCP 47: "de" or "de-AT", of general/locale/code
	Currency string // the view's default display currency
	// RootCategory is the name of its root category in the admin store.
	RootCategory string
}
