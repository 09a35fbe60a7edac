package storefront

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Role is what a token allows. Each role may what those before it may.
type Role uint8

// The roles.
const (
	RoleNone   Role = iota // everybody
	RoleRead               // what is not public: records, group prices, searches
	RoleImport             // and write
	RoleAdmin              // and everything else
)

// String returns the role's name.
func (r Role) String() string {
	if names := [...]string{"none", "read", "import", "admin"}; int(r) < len(names) {
		return names[r]
	}
	return "role(" + strconv.Itoa(int(r)) + ")"
}

// Token is a secret that its bearer shows. Only its digest is kept.
type Token struct {
	Role   Role
	digest [sha256.Size]byte
}

// minToken is the least length of a token in bytes: shorter ones can be
// guessed.
const minToken = 16

// NewToken returns the token of a secret.
func NewToken(role Role, secret string) (Token, error) {
	switch {
	case role < RoleRead || role > RoleAdmin:
		return Token{}, errors.New("storefront: a token needs the role read, import or admin")
	case len(secret) < minToken:
		return Token{}, fmt.Errorf("storefront: a token of role %s has %d characters: use at least %d", role, len(secret), minToken)
	case strings.ContainsFunc(secret, func(r rune) bool { return r <= ' ' || r > '~' }):
		return Token{}, fmt.Errorf("storefront: a token of role %s has white space or characters beyond ASCII", role)
	}
	return Token{role, sha256.Sum256([]byte(secret))}, nil
}

// ParseTokens reads tokens as files and the environment have them: lines (or
// words) of ROLE:SECRET; what follows # is a remark. Errors never show secrets.
func ParseTokens(text string) ([]Token, error) {
	var out []Token
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "#")
		for word := range strings.FieldsSeq(line) {
			name, secret, ok := strings.Cut(word, ":")
			role := Role(slices.Index([]string{"none", "read", "import", "admin"}, name))
			if !ok || role < RoleRead || role > RoleAdmin {
				return nil, errors.New("storefront: a token is written as ROLE:SECRET, with the role read, import or admin")
			}
			t, err := NewToken(role, secret)
			if err != nil {
				return nil, err
			}
			out = append(out, t)
		}
	}
	return out, nil
}

// roleOf returns what a request's bearer may. All tokens are looked at, so
// that time tells nothing.
func (s *Server) roleOf(r *http.Request) (Role, error) {
	header := r.Header.Get("Authorization")
	if header == "" {
		return RoleNone, nil
	}
	scheme, secret, _ := strings.Cut(header, " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return RoleNone, nil // of somebody before or behind us
	}
	sum := sha256.Sum256([]byte(strings.TrimSpace(secret)))
	role := RoleNone
	for i := range s.opts.Tokens {
		if subtle.ConstantTimeCompare(sum[:], s.opts.Tokens[i].digest[:]) == 1 {
			role = max(role, s.opts.Tokens[i].Role)
		}
	}
	if role == RoleNone {
		return role, unauthorized("the token is not known: check it, or ask for a new one")
	}
	return role, nil
}

func unauthorized(detail string) *Problem {
	p := problemf(http.StatusUnauthorized, "Authorization", "%s", detail)
	p.header = map[string]string{"WWW-Authenticate": `Bearer realm="catalog"`}
	return p
}

// need refuses who has not at least a role.
func (s *Server) need(r *http.Request, want Role) error {
	if want == RoleNone {
		return nil
	}
	role, err := s.roleOf(r)
	switch {
	case err != nil:
		return err
	case role >= want:
		return nil
	case role > RoleNone:
		return problemf(http.StatusForbidden, "Authorization", "this needs a token of role %s; yours has the role %s", want, role)
	case len(s.opts.Tokens) == 0:
		return problemf(http.StatusForbidden, "Authorization", "this needs a token of role %s, and the server has no tokens: start it with --tokens-file", want)
	}
	return unauthorized("this needs a token of role " + want.String() + ", as Authorization: Bearer")
}

// Customer is for whom the shop has signed an X-Customer header.
type Customer struct {
	Group   string
	Lists   []string
	Expires time.Time
}

// Sign returns the value of an X-Customer header, signed with a secret that
// shop and server share.
func (c Customer) Sign(secret []byte) string {
	v := url.Values{}
	if c.Group != "" {
		v.Set("group", c.Group)
	}
	if len(c.Lists) > 0 {
		v["list"] = c.Lists
	}
	v.Set("expires", strconv.FormatInt(c.Expires.Unix(), 10))
	text := v.Encode()
	return text + signatureField + hex.EncodeToString(sign(secret, text))
}

const signatureField = "&signature="

func sign(secret []byte, text string) []byte {
	h := hmac.New(sha256.New, secret)
	h.Write([]byte(text))
	return h.Sum(nil)
}

// parseCustomer checks an X-Customer header.
func parseCustomer(header string, secret []byte, now time.Time) (Customer, error) {
	const name = "X-Customer"
	text, signature, ok := strings.Cut(header, signatureField)
	if len(secret) == 0 {
		return Customer{}, problemf(http.StatusForbidden, name, "the server has no secret for signed customers: start it with --customer-secret-file")
	}
	given, err := hex.DecodeString(signature)
	if !ok || err != nil || !hmac.Equal(given, sign(secret, text)) {
		return Customer{}, problemf(http.StatusUnauthorized, name, "the signature is wrong: it is the HMAC-SHA-256 of all before %q, in hexadecimal", signatureField)
	}
	v, err := url.ParseQuery(text)
	if err != nil {
		return Customer{}, badRequest(name, "is not written as group=…&list=…&expires=…")
	}
	unix, err := strconv.ParseInt(v.Get("expires"), 10, 64)
	if err != nil {
		return Customer{}, badRequest(name, "expires is no Unix time")
	}
	c := Customer{Group: v.Get("group"), Lists: v["list"], Expires: time.Unix(unix, 0)}
	if !now.Before(c.Expires) {
		return Customer{}, problemf(http.StatusUnauthorized, name, "expired: the shop must sign a new one")
	}
	return c, nil
}
