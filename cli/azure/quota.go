package azure

import (
	"context"
	"errors"
	"fmt"
	"time"

	"hilrig/azure/iothub/arm"
	"hilrig/cli/terminal"
	"hilrig/fixtures/rigfile"
	"hilrig/record"
	"hilrig/runner"
)

// quotaWithin bounds what a run waits for Azure Resource Manager.
const quotaWithin = 20 * time.Second

// Uses says what a run takes of the day's messages at each hub of Azure's, and
// what that costs. It is an error where the day has fewer left.
func (m Manager) Uses(ctx context.Context, p *runner.Plan) (notes []string, err error) {
	ctx, cancel := context.WithTimeout(ctx, quotaWithin)
	defer cancel()
	for _, h := range p.Hubs {
		if h.Kind != rigfile.KindAzure {
			continue
		}
		need := 0
		for _, e := range p.Entries() {
			if e.Hub.Name == h.Name {
				need += p.MessagesOf(e)
			}
		}
		note, err := m.usesOf(ctx, h, need)
		if err != nil {
			return nil, err
		}
		notes = append(notes, fmt.Sprintf("hub %s: %d messages at the least, %s", h.Name, need, note))
	}
	return notes, nil
}

func (m Manager) usesOf(ctx context.Context, h rigfile.Hub, need int) (string, error) {
	if h.ResourceID == "" {
		return "each of 0.5 kB on the free tier and 4 kB on the others; how many the day has left is read where the hub's entry has a resource_id", nil
	}
	is, q, err := m.managed(ctx, h.ResourceID)
	if record.ClassOf(err) == record.Usage {
		return "", err
	}
	if err == nil && q.MaxMessages == 0 {
		err = errors.New("no quota is in what Azure Resource Manager answers")
	}
	if err != nil {
		return "and how many the day has left is not known: " + terminal.OneLine(err.Error()), nil
	}
	if int64(need) > q.Left() {
		return "", record.NewFailure(record.RigCloud, "fit the selection into", "the day's messages of "+h.Host,
			fmt.Errorf("it takes %d at the least, and %d of %d are left", need, q.Left(), q.MaxMessages)).
			WithCure("fewer specs (--label-filter smoke), or wait until 00:00 UTC, when the day begins anew, or give the hub another unit")
	}
	return fmt.Sprintf("%s of the %d that the day has left until 00:00 UTC; %s", sizeOf(is.SKU), q.Left(), priceOf(is.SKU)), nil
}

// managed is a hub and its quota as Azure Resource Manager has them.
func (m Manager) managed(ctx context.Context, resource string) (h arm.Hub, q arm.Quota, err error) {
	id, err := arm.ParseID(resource)
	if err != nil {
		return h, q, err
	}
	c, err := m.open(id)
	if err != nil {
		return h, q, err
	}
	if h, err = c.Hub(ctx); err == nil {
		q, err = c.Quota(ctx)
	}
	return h, q, err
}

func sizeOf(sku string) string {
	e, known := arm.EditionOf(sku)
	switch {
	case !known:
		return "of a size that is not known"
	case e.MessageBytes < 1024:
		return fmt.Sprintf("each begun %.1f kB one,", float64(e.MessageBytes)/1024)
	}
	return fmt.Sprintf("each begun %d kB one,", e.MessageBytes/1024)
}

// priceOf says what messages of a hub cost: a unit is paid by the month.
func priceOf(sku string) string {
	e, known := arm.EditionOf(sku)
	switch {
	case !known:
		return "what " + sku + " costs is not known"
	case e.USD == 0:
		return sku + " costs nothing"
	}
	return fmt.Sprintf("they cost nothing beside the %d USD that %s costs a month and unit (list price)", e.USD, sku)
}
