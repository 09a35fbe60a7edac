// Package gateway is a reverse proxy that stands before Magento 2 or OpenMage
// and makes sure that a product exists there before a request puts it into a
// cart: nothing has to be installed in the shop.
//
// New's Gateway looks at each request's path. The few that put products into
// a cart, wish list or compare list are read, their SKUs ensured (see package
// placeholder), and then passed on; everything else streams through
// unbuffered, byte for byte: uploads and downloads of any size, server-sent
// events, websockets, trailers, compressed bodies.
//
// # What is read
//
//	REST        POST and PUT [/index.php]/rest[/STORE][/async[/bulk]]/V1/
//	            guest-carts/ID/items[/ID], carts/mine/items[/ID], carts/ID/items[/ID]
//	            as JSON (an object, or an array of them for bulk) or XML
//	GraphQL     POST and GET /graphql: addProductsToCart, addProductsToNewCart,
//	            addSimpleProductsToCart, addVirtualProductsToCart,
//	            addConfigurableProductsToCart, addProductsToWishlist,
//	            createCompareList, addProductsToCompareList, reorderItems
//	storefront  checkout/cart/add, wishlist/index/add, catalog/product_compare/add
//	            with sku= in the path, the query, a form or a multipart form;
//	            sales/order/reorder, sales/guest/reorder
//
// With Options.OpenMage only the storefront is read, by GET too, since there
// is no such REST or GraphQL; Magento 2 takes these by POST alone.
//
// # What is rewritten
//
// What needs no change is kept, number texts and the order of members
// included; when nothing needs a change the client's own bytes are sent,
// compressed if they were.
//
//   - Storefront: sku=X becomes product=ID, the entity id that the controller
//     wants. A request that has a product already is not touched.
//   - A SKU that the shop spells otherwise (case, accents, trailing space)
//     becomes the shop's spelling: GraphQL and Magento's inventory compare
//     byte by byte.
//   - A configurable enters the cart as its variant. An item that names
//     parent_sku and the variant's sku loses parent_sku (and those
//     selected_options that choose a variant), addConfigurableProductsToCart
//     becomes addSimpleProductsToCart under the same response key, unless all
//     its variants are the merchant's own products. The answer's __typename
//     is then that of the simple mutation.
//   - An add of our configurable by its own SKU, with options or without, is
//     refused with a sentence: catalog and Magento share no option ids, so only
//     the variant's SKU says what is meant. The merchant's own configurables
//     pass untouched.
//   - Compare lists take entity ids: an element that is no number, or begins
//     with "sku:", is taken for a SKU and becomes the id.
//
// # When ensuring fails
//
// The gateway fails open. A request waits for ensuring at most Options.Limit,
// then goes on as it came, and Magento answers as it would have. After several
// failures a breaker opens: requests are not held up at all until one of them,
// a while later, has been ensured in time again. The same goes for requests
// that cannot be read: too large, an unknown compression, no JSON.
//
// # Serving it
//
// Set ReadHeaderTimeout and IdleTimeout of the http.Server, but neither
// ReadTimeout nor WriteTimeout: they would cut long uploads and downloads and
// server-sent events off. http.Server.Shutdown does not wait for websockets.
//
// It belongs between Varnish, or whatever ends TLS, and the shop's web server:
// what puts products into carts is never answered by a cache.
package gateway
