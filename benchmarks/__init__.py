"""One file per question; figures come with the machine named and a yardstick in the same run."""
