package placeholder

// Status is the answer to one SKU. Codes never change their meaning.
type Status string

// The statuses.
const (
	Created   Status = "created"   // the shop has a new placeholder
	Refreshed Status = "refreshed" // it had one, which now is as the catalog says
	Present   Status = "present"   // it had one, which was so already
	Foreign   Status = "foreign"   // it has the merchant's own product: used as it is
	Unknown   Status = "unknown"   // neither the catalog nor the shop has the SKU
	Disabled  Status = "disabled"  // the catalog says that it is not sold
	Refused   Status = "refused"   // it cannot be sold, for Result.Reason
)

// InShop reports whether the shop has a product to put into a cart.
func (s Status) InShop() bool {
	return s == Created || s == Refreshed || s == Present || s == Foreign
}

// Reason says why an answer is Refused. Codes never change their meaning.
type Reason string

// The reasons to refuse.
const (
	ReasonNoPrice  Reason = "no_price"      // no price, or 0, in the currency of any of its websites
	ReasonSoldOut  Reason = "sold_out"      // nothing in stock and no backorders
	ReasonParent   Reason = "needs_variant" // a configurable: one of its variants must be chosen
	ReasonType     Reason = "type"          // a bundle, grouped or other type that no simple product can stand for
	ReasonWebsite  Reason = "no_website"    // it is sold on none of the shop's websites
	ReasonLong     Reason = "sku_long"      // longer than the shop's column
	ReasonCharset  Reason = "sku_charset"   // characters that the shop's column cannot hold
	ReasonAlike    Reason = "sku_alike"     // the shop takes it for the same as another SKU of the catalog
	ReasonLimit    Reason = "limit"         // too many new placeholders in the last minute
	ReasonTrouble  Reason = "record"        // the catalog's record cannot be read
	ReasonTaxClass Reason = "tax_class"     // the shop has no such tax class
)

// Result is the answer to one SKU.
type Result struct {
	SKU      string `json:"sku"` // as it was asked for
	Status   Status `json:"status"`
	EntityID int64  `json:"entity_id,omitempty"`
	// Spelling is how the shop's product spells the SKU: what GraphQL and
	// Magento's inventory must be asked with. "" when the shop has none.
	Spelling string `json:"spelling,omitempty"`
	Reason   Reason `json:"reason,omitempty"`
	Detail   string `json:"detail,omitempty"` // a sentence for people
}
