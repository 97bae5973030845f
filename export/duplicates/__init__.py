"""Pictures that show the same photograph, and how to keep them on one side of a split."""
