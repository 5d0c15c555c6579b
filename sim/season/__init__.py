"""One season lived through the exchange: people wake, decide, trade, net, bank and surrender."""
